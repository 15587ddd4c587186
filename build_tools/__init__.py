"""What build.py is made of: one module for each thing it does.

Nothing here may import from outside the standard library, nor be imported by the app itself.
"""
