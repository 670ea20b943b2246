"""What readers look at: tables, figures and sheets of images."""
