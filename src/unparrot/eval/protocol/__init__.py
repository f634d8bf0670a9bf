"""The protocol of SKILL-MIX, in reading order; it calls nobody.

conversation - the prompt of each turn, and the text that the replies give or why there is none
sentences - the count of sentences, and the point for length
korean_sentences - Korean laid out for that count, by its endings
grading - a grader's prompt and its marks, read strictly
votes - the verdict: the majority of the rounds, and what is unscored
"""
