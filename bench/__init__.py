"""What things cost, each as a ratio to the raw driver or a peer in the same run: machines are noisy, ratios less so."""
