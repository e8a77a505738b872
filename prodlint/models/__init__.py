"""What libraries and frameworks do: data, and how it is looked up."""
