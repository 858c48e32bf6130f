"""Load tests: Locust drives real traffic at a gateway, and the verdict judges its splits."""
