"""What a person may see and do; roles are checked and audit rows written here."""
