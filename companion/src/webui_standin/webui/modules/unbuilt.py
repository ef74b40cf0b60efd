"""What the real program does and the stand-in doesn't: one answer, 501 with the name."""

from fastapi.exceptions import HTTPException


def refuse(name):
    """Raise HTTPException 501: the API answers with it, and a job of the page shows it."""
    raise HTTPException(status_code=501, detail=f"{name} is not built in the stand-in")
