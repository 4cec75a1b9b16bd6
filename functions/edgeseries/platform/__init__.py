"""The only package that imports the Workers runtime: js, pyodide, workers."""
