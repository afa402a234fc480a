"""The activation of license keys: queue, instance, review, and one submission."""

from tui_licenses.tui.screens.activation.screen import ActivationScreen

__all__ = ["ActivationScreen"]
