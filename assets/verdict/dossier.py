def collect(artifacts, verdict, policy, threats, log): return {"candidate": verdict.candidate}
def render(body): return "<html></html>"
def with_approvals(body, approvals): return {**body, "approvals": approvals}
