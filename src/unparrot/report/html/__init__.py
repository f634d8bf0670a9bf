"""HTML. In reading order:

    markup - elements as values; text is escaped unless it is markup already
    layout - documents and what acts in them, parts, sections, facts, tables and strips

The style of all pages is page.css. address.js keeps in the address what a reader does,
and page.js is what pages of runs do; the transcript browser is browser.html and browser.js.
"""
