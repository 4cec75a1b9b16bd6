"""Bodies that leave: answers, results in every format, problem details."""
