"""The commands of `payload-replay`, each a module; `cli` puts them together."""
