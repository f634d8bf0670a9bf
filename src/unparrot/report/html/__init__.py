"""HTML. In reading order:

    markup - elements as values; text is escaped unless it is markup already
    layout - documents, sections, facts, tables and strips

The style of all pages is page.css; the transcript browser is browser.html and browser.js.
"""
