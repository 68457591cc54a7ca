"""The pages: one folder a storefront, one design system, one theme each."""
