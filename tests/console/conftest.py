from tests.console.desk_home import desks, office, settings

__all__ = ["desks", "office", "settings"]
