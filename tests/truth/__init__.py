"""Whether previews tell the truth: random states, judged by the product and then by the simulated Discord itself."""
