"""Hostile notebooks, and honest ones that look odd: what each may cost, behind each wall.

``cases/`` holds them by kind, one cell each. ``test_walls.py`` runs them; ``python -m tests.hostile`` runs them through
all walls, as root and as a user, and fills in the table.
"""
