"""The conversation about a bespoke piece, for whoever has its link."""
