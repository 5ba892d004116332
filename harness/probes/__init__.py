"""What is read of a server while it is measured: memory, CPU time, and what the kernel killed."""
