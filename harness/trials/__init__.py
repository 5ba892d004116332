"""One trial, from verify and calibration to the rules by which it counts."""
