"""What runs the stages for one project: sessions, stored results, ignore comments, baselines, comparisons with git."""
