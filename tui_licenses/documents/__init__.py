"""Server profiles, license files and certificates: read, written and verified."""
