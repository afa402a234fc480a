"""tui-licenses: a terminal dashboard for the licenses of on-premises servers."""

__version__ = "0.1.0"
