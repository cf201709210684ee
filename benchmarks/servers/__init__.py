"""What the endpoint is measured beside, each written as its own guide has it, around the same fitted pipeline."""
