/** One build: the state that steps share, and the order in which Jenkins evaluates a stage. */
class Build {
  final Map told
  final Offered offered
  final Environment env
  final List<Map> events = []
  final List<String> path = [], locks = [], bound = []
  final List<Integer> limits = []
  final Map<String, String> stashes = [:]
  final List<Map> agents = []
  final Map options = [:]
  Section model
  boolean stepsAllowed = false
  boolean interrupted = false
  String result = 'SUCCESS'
  String displayName = ''

  Build(Map told) {
    this.told = told
    this.offered = new Offered(told.plugins)
    this.env = new Environment(told.environment ?: [:])
  }

  void record(String type, Map about = [:]) {
    events << ([type: type, stage: path ? path[-1] : '', path: path.join('/'), locks: locks.collect(), limits: limits.collect(),
                agent: agents ? agents[-1].yamlFile : null, container: agents ? agents[-1].container : null,
                credentials: bound.collect(), role: env.getProperty('AWS_ROLE_ARN')] + about)
  }

  void worsen(String other) {
    if (Allowed.WORST.indexOf(other) > Allowed.WORST.indexOf(result)) result = other
  }

  Map workspace() {
    if (!agents) throw new Stopped('FAILURE', 'there is no agent here')
    return agents[-1]
  }

  // --- what is declared

  void validate() {
    if (!model.given('agent')) throw new Invalid('pipeline has no agent')
    if (!model.given('stages')) throw new Invalid('pipeline has no stages')
    names(model.value('stages'), 'stages', []).with { all ->
      def repeated = all.countBy { it }.find { it.value > 1 }
      if (repeated) throw new Invalid("two stages are called ${repeated.key}")
    }
    if (model.given('post')) Section.of('post', model.value('post'))
    offered.need('pipeline')
    if (model.given('options')) Section.of('pipeline options', model.value('options')).calls.each { offered.need(it.name) }
  }

  private List<String> names(Closure body, String kind, List<String> outer) {
    def inside = Section.of(kind, body).calls
    if (!inside) throw new Invalid("${kind} is empty")
    return inside.collectMany { call ->
      if (call.given.size() != 2) throw new Invalid("a stage has a name and a body: ${call.given}")
      def stage = Section.of('stage', call.given[1])
      def bodies = ['steps', 'stages', 'parallel'].findAll { stage.given(it) }
      if (bodies.size() != 1) throw new Invalid("${call.given[0]} has ${bodies ?: 'neither steps nor stages nor parallel'}")
      if (bodies[0] == 'parallel' && (outer.contains('parallel') || stage.given('agent'))) {
        throw new Invalid("${call.given[0]}: parallel stages have no agent around them, and no parallel stages in them")
      }
      if (stage.given('post')) Section.of('post', stage.value('post'))
      if (stage.given('options')) Section.of('stage options', stage.value('options')).calls.each { offered.need(it.name) }
      if (stage.given('when')) Section.of('when', stage.value('when'))
      if (stage.given('input')) Section.of('input', stage.value('input'))
      def below = bodies[0] == 'steps' ? [] : names(stage.value(bodies[0]), bodies[0], outer + bodies)
      return [call.given[0] as String] + below
    }
  }

  // --- what is run

  void run() {
    validate()
    def declared = model.given('options') ? Section.of('pipeline options', model.value('options')) : new Section('pipeline options')
    declared.calls.each { options[it.name] = it.given ? it.given[0] : true }
    def values = assigned(model)
    env.with(values) {
      limited(declared) {
        onAgent(model) {
          try {
            stagesOf(model.value('stages'))
          } catch (Stopped stopped) {
            worsen(stopped.result)
            record('stopped', [why: stopped.message, result: stopped.result])
          }
          post(model, result, told.previous)
        }
      }
    }
  }

  private void stagesOf(Closure body) {
    Section.of('stages', body).calls.each { stage(it.given[0] as String, Section.of('stage', it.given[1])) }
  }

  private void parallelOf(Closure body, boolean failFast) {
    def stopped = null
    record('parallel')
    Section.of('parallel', body).calls.each {
      try {
        stage(it.given[0] as String, Section.of('stage', it.given[1]))
      } catch (Stopped failed) {
        stopped = stopped ?: failed
        // The others were running all the time; from here on they are ended.
        interrupted = failFast
      }
    }
    interrupted = false
    if (stopped) throw stopped
  }

  private void stage(String name, Section stage) {
    path << name
    def when = stage.given('when') ? Section.of('when', stage.value('when')) : null
    def declared = stage.given('options') ? Section.of('stage options', stage.value('options')) : new Section('stage options')
    try {
      if (when?.value('beforeOptions') && !holds(when)) return
      limited(declared) {
        locked(declared) {
          if (when?.value('beforeInput') && !holds(when)) return
          if (stage.given('input')) asked(Section.of('input', stage.value('input')))
          if (when?.value('beforeAgent') && !holds(when)) return
          onAgent(stage) {
            if (when && !holds(when)) return
            env.with(assigned(stage)) { body(stage) }
          }
        }
      }
    } finally {
      path.remove(path.size() - 1)
    }
  }

  private void body(Section stage) {
    record('stage')
    def ended = 'SUCCESS'
    def failure = null
    try {
      if (stage.given('steps')) steps(stage.value('steps'))
      if (stage.given('stages')) stagesOf(stage.value('stages'))
      if (stage.given('parallel')) parallelOf(stage.value('parallel'), options.parallelsAlwaysFailFast || stage.value('failFast'))
    } catch (Stopped stopped) {
      ended = stopped.result
      failure = stopped
      // What ends with a neighbour says nothing about the build.
      if (!interrupted) worsen(ended)
    }
    post(stage, ended, null)
    if (failure) throw failure
  }

  private void post(Section of, String ended, String before) {
    if (!of.given('post')) return
    def conditions = Section.of('post', of.value('post')).calls.collectEntries { [it.name, it.given[0]] }
    def applies = [
      always: true, changed: before && before != ended, fixed: before && before != 'SUCCESS' && ended == 'SUCCESS',
      regression: before == 'SUCCESS' && ended != 'SUCCESS', aborted: ended == 'ABORTED', failure: ended == 'FAILURE',
      success: ended == 'SUCCESS', unstable: ended == 'UNSTABLE', unsuccessful: ended != 'SUCCESS', cleanup: true,
    ]
    // What follows a failure is not ended with its neighbours.
    def ending = interrupted
    interrupted = false
    Allowed.SECTIONS.post.findAll { conditions[it] && applies[it] }.each { condition ->
      path << "post ${condition}"
      try {
        steps(conditions[condition])
      } catch (Stopped stopped) {
        worsen('FAILURE')
        record('stopped', [why: stopped.message, result: stopped.result])
      } finally {
        path.remove(path.size() - 1)
      }
    }
    interrupted = ending
  }

  private void steps(Closure body) {
    stepsAllowed = true
    try {
      body()
    } finally {
      stepsAllowed = false
    }
  }

  private Map assigned(Section of) {
    def assignments = new Assignments()
    if (of.given('environment')) {
      def copy = of.value('environment').clone()
      copy.delegate = assignments
      copy.resolveStrategy = Closure.DELEGATE_FIRST
      copy()
    }
    return assignments.values
  }

  private void limited(Section declared, Closure work) {
    def minutes = declared.given('timeout') ? Allowed.minutes(declared.value('timeout')) : null
    if (minutes) limits << minutes
    try {
      work()
    } finally {
      if (minutes) limits.remove(limits.size() - 1)
    }
  }

  private void locked(Section declared, Closure work) {
    declared.given('lock') ? lock(declared.value('lock'), work) : work()
  }

  void lock(Map given, Closure work) {
    Allowed.parameters('lock', given)
    if (!given.resource) throw new Invalid("lock needs a resource, not ${given}")
    record('lock', [resource: given.resource])
    locks << given.resource
    try {
      work()
    } finally {
      locks.remove(locks.size() - 1)
      record('unlock', [resource: given.resource])
    }
  }

  private void onAgent(Section of, Closure work) {
    def wanted = of.value('agent')
    if (!(wanted instanceof Closure)) {
      if (wanted && wanted != 'none') throw new Invalid("agent ${wanted}")
      work()
      return
    }
    def kubernetes = Section.of('agent', wanted).value('kubernetes')
    if (!kubernetes) throw new Invalid('an agent is of Kubernetes here')
    offered.need('agent kubernetes')
    def pod = Section.of('kubernetes', kubernetes)
    agent([yamlFile: pod.value('yamlFile'), container: pod.value('defaultContainer')], work)
  }

  void agent(Map wanted, Closure work) {
    agents << (wanted + [files: [:], checkedOut: false])
    record('agent')
    try {
      work()
    } finally {
      record('agent ends', [files: agents[-1].files.keySet() as List, checkedOut: agents[-1].checkedOut])
      agents.remove(agents.size() - 1)
    }
  }

  private void asked(Section input) {
    def message = input.value('message')
    if (!message) throw new Invalid('an input has no message')
    record('input', [message: message, submitter: input.value('submitter')])
    def answer = told.inputs?.find { message =~ it.key }?.value ?: 'approved'
    if (answer != 'approved') throw new Stopped('ABORTED', "input: ${answer}")
    if (input.value('submitterParameter')) env.setProperty(input.value('submitterParameter'), 'somebody')
  }

  private boolean holds(Section when) {
    def tests = when.calls.findAll { !it.name.startsWith('before') }
    if (!tests) throw new Invalid('when asks nothing')
    return tests.every { holdsOne(it) }
  }

  private boolean holdsOne(Map call) {
    switch (call.name) {
      case 'branch': return env.getProperty('BRANCH_NAME') == call.given[0]
      case 'tag': return env.getProperty('TAG_NAME') == call.given[0]
      case 'buildingTag': return env.getProperty('TAG_NAME') != null
      case 'expression': return call.given[0]() as boolean
      case 'not': return !holds(Section.of('when', call.given[0]))
      case 'allOf': return holds(Section.of('when', call.given[0]))
      case 'anyOf': return Section.of('when', call.given[0]).calls.any { holdsOne(it) }
    }
  }
}
