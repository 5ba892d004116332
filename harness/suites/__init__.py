"""What a suite file says, and every case and trial that follows from it."""
