"""HTML built as values: text is escaped unless it is `Markup` already."""

import html

VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """A string that is HTML and goes into the page as it stands."""

    __slots__ = ()


def text(content: str) -> Markup:
    """Escape a string for an element or an attribute in double quotes.

    Examples
    --------
    >>> text('<b class="x">')
    '&lt;b class=&quot;x&quot;&gt;'
    """
    return Markup(html.escape(content, quote=True))


def join(*children: str | None) -> Markup:
    """Join children into one piece; plain strings are escaped, None is left out."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else text(child)
            for child in children
            if child is not None
        )
    )


def el(name: str, /, *children: str | None, **attributes: str | None) -> Markup:
    """Make an element.

    Parameters
    ----------
    name
        Name of the element.
    children
        Contents; plain strings are escaped, `Markup` is not, None is left out.
    attributes
        Attribute values, always escaped; None leaves the attribute out. ``class_`` gives
        ``class``, an underscore within a name becomes a hyphen.

    Examples
    --------
    >>> el("p", "a < b", class_="note", aria_label="less")
    '<p class="note" aria-label="less">a &lt; b</p>'
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{pairs}>")
    return Markup(f"<{name}{pairs}>{join(*children)}</{name}>")
