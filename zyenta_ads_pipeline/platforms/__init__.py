"""Ad platforms behind one small interface (`base.py`); Meta is the first."""
