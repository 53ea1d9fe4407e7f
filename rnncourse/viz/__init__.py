"""What a page shows: figures, tables and numbers. Only this and the chapters import matplotlib."""
