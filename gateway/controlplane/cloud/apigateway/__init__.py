"""COLD: the actions of the cloud's API Gateway, over the same core as everything else."""
