"""How fast are long PDFs read, and are words, their places and their order right?"""
