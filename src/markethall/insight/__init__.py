"""What can be learnt from what people do."""
