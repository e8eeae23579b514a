"""The core process: settings, logs, the Discord client and the guard on its requests."""
