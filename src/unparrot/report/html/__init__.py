"""HTML. In reading order:

    markup - elements as values; text is escaped unless it is markup already
    layout - documents and what acts in them, parts, sections, facts, tables and strips

The style of all pages is page.css, and what pages of runs do is page.js; the transcript browser is
browser.html and browser.js.
"""
