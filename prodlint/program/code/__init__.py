"""What happens inside functions: exceptions, promises, streams, callbacks, loggers, state."""
