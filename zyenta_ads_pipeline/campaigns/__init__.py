"""What is done to campaigns: proposals, approvals and the safe push to the platform."""
