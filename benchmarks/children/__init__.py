"""What runs beside the benchmark: the product, what it is compared with, and who asks them."""
