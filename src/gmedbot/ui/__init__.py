"""The web app: pages that show an ``Answer`` and everything behind it.

bot ──▶ stream ──▶ blocks (Gradio: the chat page)          views/   Answer, Source, Finding … → HTML, pure functions
    └─▶ routes, pages (FastAPI: panel, export, explore, anatomy, maintainers)      assets/  CSS and JavaScript files
        app = all of them, with security headers.  Every string a person reads is in ``text``.

Nothing is imported here: Gradio takes seconds to import, and only ``app`` needs it.
"""
