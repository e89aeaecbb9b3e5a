"""Pure views: a value of gmedbot in, a piece of escaped HTML out. No Gradio, no request, no state."""
