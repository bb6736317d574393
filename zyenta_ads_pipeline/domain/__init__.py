"""The vocabulary: frozen dataclasses, enums and errors. Imports nothing else of ours."""
