"""Which file, value and function a name means, who calls whom, and in which circumstances a function runs."""
