"""Images and what runs of them: taking one out of the registry needs to know both."""
