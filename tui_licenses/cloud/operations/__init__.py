"""What changes the cloud: each operation validates, changes and audits in one transaction."""
