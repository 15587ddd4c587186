"""What the crash tests put between the product and the operating system. In a process of the product this folder is on PYTHONPATH."""
