"""How fast a Qwen3-VL reads and answers in this process, beside what the hardware allows."""
