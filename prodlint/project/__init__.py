"""The first stage: which files a project has, of which kind and role, and what its settings say."""
