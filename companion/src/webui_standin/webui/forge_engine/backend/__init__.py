"""Where Forge dfdcbab6 has its engine. The stand-in's is `webui_standin.drawing`."""
