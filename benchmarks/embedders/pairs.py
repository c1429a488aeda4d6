"""Questions with what answers them, about ten things in three languages."""

from __future__ import annotations

ENGLISH, RUSSIAN, CHINESE = range(3)
ASKED: tuple[tuple[str, str, str], ...] = (
    ("How do I turn the pump off?", "Как выключить насос?", "怎么关掉水泵？"),
    ("When does the ferry leave?", "Когда отходит паром?", "渡轮什么时候出发？"),
    ("What causes inflation?", "Что вызывает инфляцию?", "什么导致通货膨胀？"),
    ("Who wrote the report on margins?", "Кто написал отчёт о марже?", "谁写了关于利润率的报告？"),
    ("How deep is the lake?", "Какова глубина озера?", "这个湖有多深？"),
    ("how to train a neural network", "как обучить нейронную сеть", "如何训练神经网络"),
    ("medicine against headache", "лекарство от головной боли", "治头痛的药"),
    ("the dog in the park", "собака в парке", "公园里的狗"),
    ("how is bread made", "как делают хлеб", "面包是怎么做的"),
    ("error code E-07", "код ошибки E-07", "错误代码 E-07"),
)
"""The same question in English, Russian and Chinese."""
SAID: tuple[tuple[str, str, str], ...] = (
    (
        "To stop the water pump, press the red switch.",
        "Чтобы остановить насос, нажмите красный выключатель.",
        "要关闭水泵，请按红色开关。",
    ),
    (
        "The ferry sails from Halden at half past six in the morning.",
        "Паром отходит из Халдена в половине седьмого утра.",
        "渡轮早上六点半从哈尔登出发。",
    ),
    (
        "Prices rise when too much money chases too few goods.",
        "Цены растут, когда слишком много денег гонится за слишком малым числом товаров.",
        "当太多的货币追逐太少的商品时，物价就会上涨。",
    ),
    (
        "Anna Berg prepared the paper about gross margins last spring.",
        "Анна Берг подготовила прошлой весной документ о валовой марже.",
        "安娜·贝里去年春天撰写了关于毛利率的文件。",
    ),
    (
        "At its deepest point the water reaches two hundred and ten metres.",
        "В самом глубоком месте глубина воды достигает двухсот десяти метров.",
        "湖水最深处达到二百一十米。",
    ),
    (
        "We adjust the weights by gradient descent on the loss.",
        "Мы подбираем веса градиентным спуском по функции потерь.",
        "我们通过对损失进行梯度下降来调整权重。",
    ),
    (
        "Take one tablet of ibuprofen if your head hurts.",
        "Примите одну таблетку ибупрофена, если болит голова.",
        "如果头痛，请服用一片布洛芬。",
    ),
    (
        "A brown dog was running over the grass after a ball.",
        "Коричневая собака бежала по траве за мячом.",
        "一只棕色的狗在草地上追着球跑。",
    ),
    (
        "Mix flour, water, salt and yeast, let the dough rest and bake it.",
        "Смешайте муку, воду, соль и дрожжи, дайте тесту отдохнуть и выпекайте.",
        "把面粉、水、盐和酵母混合，让面团静置，然后烘烤。",
    ),
    (
        "Code E-07 means that the filter is blocked and must be cleaned.",
        "Код E-07 означает, что фильтр засорён и его нужно очистить.",
        "代码 E-07 表示过滤器堵塞，必须清洗。",
    ),
)
"""What answers each of them, in these languages."""
PICTURED: tuple[tuple[str, ...], ...] = (
    ("cat", "a kitten looking around", "кошка", "一只猫"),
    ("a cup of coffee", "something hot to drink", "чашка кофе", "一杯咖啡"),
    ("rocket on its launch pad", "a spaceship before take-off", "ракета на старте", "火箭发射台"),
)
"""What the photographs of the tests show: cat, coffee, rocket."""
