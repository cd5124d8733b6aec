// Who may import whom. `npm test` fails on a breach.
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Modules that need each other cannot be understood or tested apart. Types may refer to each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'plugins-meet-through-their-public-side',
      comment: 'A plugin sees of another plugin only its manifest, its public types and its events; never its tables or service.',
      severity: 'error',
      from: { path: '^plugins/([^/]+)/', pathNot: '(\\.test|/testing)\\.ts$' },
      to: { path: '^plugins/[^/]+/', pathNot: ['^plugins/$1/', '^plugins/kit/', '^plugins/[^/]+/(plugin|public|events)\\.ts$'] },
    },
    {
      name: 'plugins-stand-on-the-kit',
      comment: 'A plugin imports the kit, the command kit and the core of the database; not the hosts.',
      severity: 'error',
      from: { path: '^plugins/(?!kit/|index\\.ts)[^/]+/', pathNot: '(\\.test|/testing)\\.ts$' },
      to: { path: '^(bot|api|jobs|app|scripts)/' },
    },
    {
      name: 'services-know-no-framework',
      comment: 'Rules of a feature are plain functions: Discord, HTTP and vendors reach them through ports.',
      severity: 'error',
      from: { path: '^plugins/[^/]+/service(\\.ts|/)' },
      to: { path: 'node_modules/(discord\\.js|@discordjs|fastify|@fastify|stripe|@sendgrid|bullmq|ioredis)/' },
    },
    {
      name: 'hosts-know-no-plugin',
      comment: 'Only plugins/index.ts lists plugins.',
      severity: 'error',
      from: { path: '^(bot|api|jobs|db|commands|app)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^plugins/', pathNot: '^plugins/kit/' },
    },
    {
      name: 'kit-knows-no-plugin',
      severity: 'error',
      comment: 'The kit is below every plugin.',
      from: { path: '^plugins/kit/' },
      to: { path: '^plugins/', pathNot: '^plugins/kit/' },
    },
    {
      name: 'only-demo-and-tests-use-the-sandbox',
      comment: 'The sandbox is the outside world; the program must not know that it exists.',
      severity: 'error',
      from: { pathNot: ['^sandbox/', '^scripts/(demo|sandbox|screenshots)', '^demo/', '(\\.test|/testing)\\.ts$', '/testing/'] },
      to: { path: '^sandbox/' },
    },
    {
      name: 'the-sandbox-knows-nothing-of-the-program',
      comment: 'It speaks the vendors’ protocols and nothing else.',
      severity: 'error',
      from: { path: '^sandbox/' },
      to: { path: '^(bot|api|db|jobs|commands|plugins|app|scripts|demo)/', pathNot: '^db/testing' },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^node:' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)node_modules/|^sandbox/client/public/' },
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
}
