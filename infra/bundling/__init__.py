"""The code of the Lambdas as zip files."""
