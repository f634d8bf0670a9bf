"""`unparrot view`: a local web app to look at runs, to mark texts, and to try models of the lab.

Pages are made on this machine and say what the records say; what the app writes are people's marks
(as `unparrot eval label` does) and pages that are missing. In reading order:

    folders  - the runs and studies below some folders: what they are, how far, their finding
    search   - texts of a run by words, model, k, split and marks, row group by row group
    marking  - people mark a blind sample, point by point, each mark on disk at once
    trying   - a model of the lab writes for any request, and the exact grader marks it
    screens  - what pages are made of: the frame, forms, lists; view.css and view.js
    routes   - which address shows what
    guard    - who may ask: the token, the host, the origin, the headers of answers
    server   - the port, the browser, the end
"""
