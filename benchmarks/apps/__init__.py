"""Programs that the dashboard is compared with."""
