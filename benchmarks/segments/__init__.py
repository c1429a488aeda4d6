"""Do segments of talks begin where the topic turns? Pk and WindowDiff, with meaning and without."""
